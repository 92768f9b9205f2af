public import Modules

/// A module that cannot be used as intended on machines of one architecture, with the reasons.
public struct ModuleProblem: Hashable, Sendable, Codable {
    public enum Kind: String, Hashable, Sendable, Codable {
        /// The default stream of a module is not used. The request does not name it, so this is only for
        /// information.
        case droppedDefault
        /// A build of the result could not be enabled, because its requirements are not met.
        case unmetRequirements
        /// A stream that the request enables exists only for other architectures.
        case otherArchitecture
    }

    /// One of the statements that cannot all hold.
    public enum Statement: Hashable, Sendable, Codable {
        /// The build has this requirement, and no stream that satisfies it can be active.
        case requires(NSVC, String)
        /// The build has this requirement, and there is no build that satisfies it.
        case nothingProvides(NSVC, String)
        /// Both builds are of one module. A machine has only one stream of a module, in one context.
        case conflicts(NSVC, NSVC)

        private enum RequiresCodingKeys: String, CodingKey { case _0 = "module", _1 = "requirement" }
        private enum NothingProvidesCodingKeys: String, CodingKey { case _0 = "module", _1 = "requirement" }
        private enum ConflictsCodingKeys: String, CodingKey { case _0 = "module", _1 = "other" }
    }

    public let kind: Kind
    /// `NAME:STREAM`, or a longer form if the problem is about one build.
    public let module: String
    /// The base architecture of the tree.
    public let arch: String
    public let statements: [Statement]

    public init(kind: Kind, module: String, arch: String, statements: [Statement]) {
        self.kind = kind
        self.module = module
        self.arch = arch
        self.statements = statements
    }
}

extension ModuleProblem.Statement: CustomStringConvertible {
    public var description: String {
        switch self {
        case .requires(let build, let requirement): "\(build) requires \(requirement)"
        case .nothingProvides(let build, let requirement): "\(build) requires \(requirement), but there is no build of it here"
        case .conflicts(let a, let b) where a.stream != b.stream: "\(a.nameAndStream) and \(b.nameAndStream) cannot both be enabled"
        case .conflicts(let a, let b): "\(a) and \(b) cannot both be enabled"
        }
    }
}

extension ModuleProblem: CustomStringConvertible {
    public var description: String {
        let reasons = statements.isEmpty ? "" : ": " + statements.map(\.description).joined(separator: "; ")
        return switch kind {
        case .droppedDefault: "\(module), the default stream of its module, is not used\(reasons)"
        case .unmetRequirements: "\(module) cannot be enabled\(reasons)"
        case .otherArchitecture: "the module \(module) is not there for \(arch)"
        }
    }
}
