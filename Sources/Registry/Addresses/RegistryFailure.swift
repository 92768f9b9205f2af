import ForeignText
import ImageModel

/// The reason why a registry could not be used, as an explanation for people and as data for programs.
///
/// It never contains credentials, tokens or the query of an address, which may be a signature.
public struct RegistryFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kind of the failure. The set is bounded, so a code can be the label of a metric.
    public enum Code: String, Hashable, Sendable, CaseIterable {
        /// The registry did not answer, or answered that it is busy.
        case unreachable
        /// The registry does not accept the credentials, or asks for credentials and has got none.
        case unauthorized
        /// The registry does not allow the operation.
        case denied
        case notFound = "not-found"
        /// A manifest names content that the registry does not have.
        case contentMissing = "content-missing"
        /// The registry refused a request for another reason.
        case rejected
        /// The answer is not one of a registry, or leads to an address that is not used.
        case badAnswer = "bad-answer"
        /// Content has another digest or size than it should have.
        case mismatch
        case limitExceeded = "limit-exceeded"
        /// Credentials that are to be used cannot be read, or need a helper.
        case badCredentials = "bad-credentials"
        /// The content to upload could not be read.
        case unreadableContent = "unreadable-content"
        case canceled
    }

    public let code: Code
    /// The explanation in whole sentences, on one line. It names the problem, its place and, if possible, a
    /// remedy.
    public let message: String
    /// Whether the same request may succeed later without any change by a person.
    public let isTransient: Bool
    /// The pause that the registry asked for.
    public let retryAfter: Duration?

    init(_ code: Code, _ message: String, isTransient: Bool = false, retryAfter: Duration? = nil) {
        self.code = code
        self.message = message.printable()
        self.isTransient = isTransient
        self.retryAfter = retryAfter
    }

    public var description: String { message }

    static let canceled = RegistryFailure(.canceled, "The request to the registry was canceled.")

    static func unreachable(_ reason: String, retryAfter: Duration? = nil) -> RegistryFailure {
        RegistryFailure(.unreachable, "The registry could not be used: \(reason).", isTransient: true, retryAfter: retryAfter)
    }

    /// Returns the failure for a document that the registry sent.
    static func document(_ problem: ImageProblem, from place: String) -> RegistryFailure {
        let code: Code =
            switch problem.code {
            case .mismatch: .mismatch
            case .limitExceeded: .limitExceeded
            default: .badAnswer
            }
        return RegistryFailure(code, "\(place) cannot be used. \(problem.description)")
    }
}
