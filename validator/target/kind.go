package target

// KindOf names why a request got no whole answer: what a Failure made of err
// would say.
func KindOf(err error) Kind { return fail("", err).Kind }
