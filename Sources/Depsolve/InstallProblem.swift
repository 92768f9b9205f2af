public import Repodata

/// Why a package could not be installed, not even alone, though nothing that it requires is missing: a contradiction.
public struct InstallProblem: Hashable, Sendable, Codable {
    /// One of the statements that cannot all hold.
    public struct Statement: Hashable, Sendable, Codable {
        public enum Kind: String, Hashable, Sendable, Codable {
            /// `package` requires `dependency`, and no provider of it can be installed.
            case requires
            /// `package` conflicts with `dependency`, which `other` provides.
            case conflicts
            /// `package` obsoletes `dependency`, which `other` is.
            case obsoletes
            /// `package` and `other` have the same name.
            case sameName
            /// `package` is of an inferior architecture: a better one has the same name.
            case inferiorArchitecture
            /// `package` requires `dependency`, which nothing provides.
            case nothingProvides
            case other
        }

        public let kind: Kind
        public let package: NEVRA?
        public let other: NEVRA?
        public let dependency: String?
        /// libsolv's sentence for it.
        public let text: String

        public init(kind: Kind, package: NEVRA?, other: NEVRA?, dependency: String?, text: String) {
            self.kind = kind
            self.package = package
            self.other = other
            self.dependency = dependency
            self.text = text
        }
    }

    public let package: NEVRA
    /// The base architecture of the tree.
    public let arch: String
    public let statements: [Statement]

    public init(package: NEVRA, arch: String, statements: [Statement]) {
        self.package = package
        self.arch = arch
        self.statements = statements
    }
}

extension InstallProblem: CustomStringConvertible {
    public var description: String {
        "\(package) cannot be installed: " + statements.map(\.text).joined(separator: "; ")
    }
}
