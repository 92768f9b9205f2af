import ComposeModel
import Koji

extension ComposeFailure {
    /// Makes the failure of a compose that needed the answer.
    init(_ error: KojiError) {
        let code: Code =
            switch error.code {
            case .unreachable, .truncated: .sourceUnreachable
            case .fault: error.isTransient ? .sourceUnreachable : .sourceNotUsable
            case .refused, .notKoji, .settings: .sourceNotUsable
            case .malformed, .unexpected: .metadataCorrupt
            case .tooLarge: .limitExceeded
            case .argument: .sourceNotUsable
            case .canceled: .canceled
            }
        self.init(code, error.message, isTransient: error.isTransient)
    }

    /// Makes the failure of a compose from any error of a task group that asks Koji.
    ///
    /// - Parameter sentence: The message for an error that no such task throws.
    init(_ error: any Error, otherwise sentence: String) {
        switch error {
        case let failure as ComposeFailure: self = failure
        case let error as KojiError: self.init(error)
        case is CancellationError: self = .canceled
        default: self.init(.internal, sentence)
        }
    }
}
