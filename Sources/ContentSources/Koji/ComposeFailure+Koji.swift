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
}
