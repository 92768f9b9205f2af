public import Repodata

/// A contradiction: a package cannot be installed even alone, although nothing that it requires is
/// missing.
///
/// Example: `app` requires `left` and `right`, and the only provider of `left` conflicts with `right`.
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
            /// `package` has an inferior architecture: a package of a better architecture has the same name.
            case inferiorArchitecture
            /// `package` requires `dependency`, which nothing provides.
            case nothingProvides
            case other
        }

        public let kind: Kind
        public let package: NEVRA?
        public let other: NEVRA?
        public let dependency: String?
        /// The sentence that libsolv has for the statement.
        ///
        /// Example: "package app-1-1.x86_64 requires right, but none of the providers can be installed".
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
