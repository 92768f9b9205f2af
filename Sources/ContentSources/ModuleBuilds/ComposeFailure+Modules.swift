public import ComposeModel
public import Modules

extension ComposeFailure {
    /// Makes the failure of a compose whose modules cannot be chosen.
    public init(_ error: ModuleChoiceError) {
        let code: Code =
            switch error.kind {
            case .notFound: .packageNotFound
            case .baseModule: .sourceNotUsable
            case .brokenDependencies: .brokenDependencies
            case .internal: .internal
            }
        self.init(
            code, error.message,
            details: error.findings.map {
                Detail(package: $0.module, requirement: $0.requirement, nearest: $0.nearest, text: $0.text)
            })
    }
}
