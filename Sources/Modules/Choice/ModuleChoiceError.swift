/// An error of a choice of modules: an explanation for people, and its data for programs.
///
/// Example: a requested module does not exist. The message names the streams that do.
public struct ModuleChoiceError: Error, Hashable, Sendable {
    public enum Kind: Hashable, Sendable, CaseIterable {
        /// A requested module cannot be found, or its name can mean several modules.
        case notFound
        /// The requested module is a base module.
        case baseModule
        /// A dependency cannot be found, or two versions of one stream are needed.
        case brokenDependencies
        /// A defect of this service.
        case `internal`
    }

    /// A finding about one module. Only the members that apply are set.
    public struct Finding: Hashable, Sendable {
        public let module: String
        /// The requirement that is not met. Example: `platform:f26`.
        public let requirement: String?
        /// The names that are nearest to the name that was looked for.
        public let nearest: [String]?
        public let text: String?

        public init(module: String, requirement: String? = nil, nearest: [String]? = nil, text: String? = nil) {
            self.module = module
            self.requirement = requirement
            self.nearest = nearest
            self.text = text
        }
    }

    public let kind: Kind
    /// The explanation in whole sentences.
    public let message: String
    public let findings: [Finding]

    init(_ kind: Kind, _ message: String, findings: [Finding] = []) {
        self.kind = kind
        self.message = message
        self.findings = findings
    }
}

extension ModuleChoiceError: CustomStringConvertible {
    public var description: String { message }
}
