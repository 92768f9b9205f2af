public import ComposeModel

/// The answer to the question why a package is not in a compose, in the form of the API.
public struct ComposeWhyNotDocument: Hashable, Sendable, Codable {
    /// The causes that a package is not in a compose, or that a build of it is not.
    public enum Cause: String, Hashable, Sendable, Codable, CaseIterable {
        /// The package is in the compose.
        case included
        /// No source has a package of that name.
        case notInSource = "not_in_source"
        /// The Koji tag, or a tag that it inherits from, blocks the package.
        case blocked
        /// A newer build was chosen. In Koji this is the build that was tagged last.
        case older
        /// None of the requested keys has signed the package.
        case unsigned
        /// A module hides the package, or the stream that it is part of is not enabled.
        case module
        /// The package exists only for architectures that were not requested.
        case otherArch = "other_arch"
        /// Another package provides the name, for example because the package was renamed.
        case providedBy = "provided_by"
        /// The package was not requested, and nothing in the compose requires it.
        case notNeeded = "not_needed"
        /// A lookaside repository has the package, so the compose does not need it.
        case lookaside
        /// Another source that comes first has a package of the same name and version.
        case overruled
        /// The file of the package cannot be used.
        case unusable
        /// The sources cannot be read at the pins of the compose, for example because a repository has changed
        /// since.
        case sourceUnusable = "source_unusable"
    }

    /// A cause with its facts.
    public struct Verdict: Hashable, Sendable, Codable {
        public var cause: Cause
        /// The cause in a sentence.
        public var text: String
        /// The packages that the verdict is about, as name, epoch, version, release and architecture. For
        /// ``Cause/providedBy``, these are the packages that provide the name.
        public var packages: [String]
        /// The keys that have signed the packages. No value unless the cause is ``Cause/unsigned``.
        @OrNull public var keys: [String]?
        /// Similar names, the nearest first.
        public var nearest: [String]

        public init(_ cause: Cause, _ text: String, packages: [String] = [], keys: [String]? = nil, nearest: [String] = []) {
            self.cause = cause
            self.text = text
            self.packages = packages
            self.keys = keys
            self.nearest = nearest
        }
    }

    public var compose: Int
    /// The name or the longer form that was asked for. Example: `ed-1.20-3.x86_64`.
    public var name: String
    public var verdicts: [Verdict]

    public init(compose: Int, name: String, verdicts: [Verdict]) {
        self.compose = compose
        self.name = name
        self.verdicts = verdicts
    }
}
