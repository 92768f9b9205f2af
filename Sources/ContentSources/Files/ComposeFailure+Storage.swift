public import ComposeModel
import SystemPackage

/// An error that can say that this host could not read or write one of the service's own files.
protocol StorageError: Error {
    static func storage(_ error: Errno) -> Self
}

extension StorageError {
    /// Runs work on the service's own files. Throws its error as one of storage.
    static func storing<Result>(_ body: () throws(Errno) -> Result) throws(Self) -> Result {
        do throws(Errno) { return try body() } catch { throw .storage(error) }
    }
}

extension TransferProblem: StorageError {}

extension ComposeFailure: StorageError {
    public static let canceled = ComposeFailure(.canceled, "The work on the compose was stopped before it was complete.")

    /// Returns the failure for an error of writing. It is transient, because a full disk may be cleared
    /// before another attempt.
    static func storage(_ error: Errno) -> ComposeFailure {
        switch error {
        case .noSpace, .diskQuotaExceeded: storage("This service's disk is full. The operator of this service has to make room.")
        default: storage("This service could not write to its disk: \(error). The operator of this service can help.")
        }
    }

    static func storage(_ message: String) -> ComposeFailure {
        ComposeFailure(.storage, message, isTransient: true)
    }
}
