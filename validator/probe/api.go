package probe

import "time"

// apiProbes is the API brick at bronze, one line for each promise. A check
// demands only its own promise, so that one fault is one red line.
func apiProbes() []Probe {
	return []Probe{
		api("put-get", "An object comes back exactly as it was put, at every size.", putGet).weighing(3),
		api("large", "A large object comes back exactly as it was put.", large).within(90 * time.Second).weighing(2),
		api("read-your-writes", "Every connection sees the newest acknowledged write.", readYourWrites).weighing(2),
		api("put-answer", "A PUT answers 201 or 200 and describes what it stored.", putAnswer),
		api("content-type", "The media type is kept, and nothing else is done to the bytes.", contentType),
		api("etag", "Reads carry a strong ETag, a length and a date that only a write changes.", etag),
		api("keys", "Keys are decoded once, and different keys are different objects.", keys).weighing(2),
		api("bad-keys", "What cannot be a key is refused with 400.", badKeys),
		api("missing", "A key that was never stored is not found.", missing),
		api("head", "HEAD answers as GET does, without the body.", head),
		api("delete", "DELETE removes an object, and removing nothing is no error.", remove),
		api("chunked", "An upload of unannounced length works.", chunked),
		api("retry", "A PUT cut in the middle stores nothing, and can be sent again.", retry),
		api("process", "Processed bytes are exactly what the contract defines.", process).weighing(3),
		api("bad-chains", "A chain that breaks the rules is refused with 400.", badChains),
		api("token", "Without a known token nothing is served.", token).weighing(2),
		api("reader", "The reader's token reads, and writes nothing.", reader),
		api("routes", "Unknown routes are 404, and wrong methods 405 with Allow.", routes),
		api("too-large", "A body over the published limit is refused with 413 before it is sent.", tooLarge),
		api("problems", "Errors are problem documents (RFC 9457).", problems),
		api("request-id", "Every answer names its request, its instance and its version.", requestID),
		api("description", "The platform describes itself and consents to this contest.", description).weighing(2),
		api("health", "The platform says that it lives and can serve.", health),
		api("slow-clients", "A slow reader and a slow writer do not block others.", slowClients),
	}
}
