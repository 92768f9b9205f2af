/// *Component instructions* say how a git repository is built, and which of its files are the
/// component. They are the content of `component.yaml`, or of `config.yaml`.
///
/// Example:
///
///     build: make -C src
///     artifacts: [bin, lib]
///     dependencies:
///       - asyn: R4.39-1.0.2
///     environments: [rocky9]
public struct ComponentInstructions: Hashable, Sendable {
    /// A component whose files the build gets.
    public struct Dependency: Hashable, Sendable {
        public var component: String
        public var tag: String
        /// The line that names it.
        public var line: Int
    }

    /// The names of the file, in the order of preference.
    public static let fileNames = ["component.yaml", "config.yaml"]
    public static let mostBytes = 64 << 10

    /// The commands for sh(1), which run in the top of the repository. Nil if there is nothing to build.
    public var command: String?
    /// The files and folders of the component, below the top of the repository. None means all files.
    public var artifacts: [String]
    public var dependencies: [Dependency]
    /// The operating systems that the component is for. Nil means all.
    public var environments: [String]?
}

/// A mistake in the instructions of a component, for a person.
public struct ComponentProblem: Error, Hashable, Sendable, CustomStringConvertible {
    /// The name of the file. Example: `component.yaml`.
    public let file: String
    public let line: Int?
    public let message: String

    public init(file: String, line: Int? = nil, _ message: String) {
        self.file = file
        self.line = line
        self.message = message
    }

    public var description: String { "\(file)\(line.map { ", line \($0)" } ?? ""): \(message)." }
}
