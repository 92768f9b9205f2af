import ComposeModel
import Koji
import Testing

@testable import ContentSources

@Suite("Failures of a compose by errors of a Koji hub")
struct KojiFailureTests {
    @Test(
        "each kind of error has its kind of failure",
        arguments: [
            (.unreachable, .sourceUnreachable), (.truncated, .sourceUnreachable), (.refused, .sourceNotUsable),
            (.notKoji, .sourceNotUsable),
            (.malformed, .metadataCorrupt), (.tooLarge, .limitExceeded), (.canceled, .canceled),
        ] as [(KojiError.Code, ComposeFailure.Code)])
    func kinds(_ code: KojiError.Code, _ expected: ComposeFailure.Code) {
        let failure = ComposeFailure(KojiError(code, "The hub is away.", isTransient: true))
        #expect(failure.code == expected)
        #expect(failure.message == "The hub is away.")
        #expect(failure.isTransient)
    }
}
