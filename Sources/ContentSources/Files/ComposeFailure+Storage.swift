import ComposeModel
import SystemPackage

extension ComposeFailure {
    static let canceled = ComposeFailure(.canceled, "The work on the compose was stopped before it was complete.")

    /// Returns the failure for an error of writing. It is transient, because a full disk may be cleared
    /// before another attempt.
    static func storage(_ error: Errno) -> ComposeFailure {
        switch error {
        case .noSpace, .diskQuotaExceeded: storage("This service's disk is full. Its administrators have to make room.")
        default: storage("This service could not write to its disk: \(error). Its administrators have to look into it.")
        }
    }

    static func storage(_ message: String) -> ComposeFailure {
        ComposeFailure(.storage, message, isTransient: true)
    }
}
