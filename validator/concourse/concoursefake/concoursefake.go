// Package concoursefake is a MOCK of Concourse: it runs no container, keeps its
// state in memory, and shows what the judge's client and checks do with answers
// of that shape. That a real Concourse answers so is held by the tests of
// validator/concourse, which ask the same of both.
package concoursefake
