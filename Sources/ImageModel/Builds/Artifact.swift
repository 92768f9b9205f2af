import ForeignText

/// An *artifact* is an image with the names of the artifact API: a component, its branch or tag, and an
/// operating system. One repository of a registry holds the artifacts of several operating systems.
///
/// Example: the image of the branch `main` of `mps` for `rocky9` is
/// `mps-main-image:rocky9-20261129-12`.
public struct Artifact: Hashable, Sendable, Codable {
    public enum Kind: String, Hashable, Sendable, Codable {
        /// An image that a Containerfile makes.
        case image
        /// The files that a git repository builds, as an image with one layer.
        case component
    }

    /// The most bytes of each name. A tag of all of them has less than 128 bytes.
    private static let (mostComponent, mostVersion, mostEnvironment) = (100, 64, 24)

    public let kind: Kind
    public let component: String
    /// The branch of an image, or the git tag of a component.
    public let version: String
    /// The operating system. It is called `architecture` in requests. Example: `rocky9`.
    public let environment: String

    /// Throws ``ImageProblem`` for names that cannot be those of an image in a registry.
    public init(_ kind: Kind, component: String, version: String, environment: String) throws(ImageProblem) {
        let place = kind == .image ? "branch" : "tag"
        guard component.utf8.count <= Self.mostComponent, component.wholeMatch(of: /[A-Za-z0-9][A-Za-z0-9._-]*/) != nil else {
            throw Self.problem("component", component, "letters, digits, ., _ and -", most: Self.mostComponent)
        }
        // Only the name of a repository can have a slash. A branch is a part of it.
        let isRight =
            switch kind {
            case .image: version.wholeMatch(of: /[A-Za-z0-9][A-Za-z0-9._\/-]*/) != nil
            case .component: version.wholeMatch(of: /[A-Za-z0-9][A-Za-z0-9._-]*/) != nil
            }
        guard version.utf8.count <= Self.mostVersion, isRight else {
            throw Self.problem(place, version, "letters, digits, ., _ and -", most: Self.mostVersion)
        }
        // Without a hyphen, the end of the name in a tag is clear.
        guard environment.utf8.count <= Self.mostEnvironment, environment.wholeMatch(of: /[A-Za-z0-9][A-Za-z0-9_]*/) != nil else {
            throw Self.problem("architecture", environment, "letters, digits and _", most: Self.mostEnvironment)
        }
        self.kind = kind
        self.component = component
        self.version = version
        self.environment = environment
    }

    private static func problem(_ key: String, _ text: String, _ characters: String, most: Int) -> ImageProblem {
        ImageProblem(
            .badReference, "\(key) is \(text.quoted). It must have 1 to \(most) of \(characters), and begin with a letter or a digit.")
    }

    /// The name of the repository below the namespace of the service. Names of repositories have no capital
    /// letters. Examples: `mps-main-image`, `asyn-component`.
    public var repositoryName: String {
        switch kind {
        case .image: "\(component)-\(version)-image".lowercased()
        case .component: "\(component)-component".lowercased()
        }
    }

    /// The tag that shows the newest build. It separates the artifacts of one repository. Examples:
    /// `rocky9`, `rocky9-R4.39`.
    public var movingTag: String {
        switch kind {
        case .image: environment
        case .component: "\(environment)-\(version)"
        }
    }

    /// Returns the tag of one build. Example: `rocky9-20261129-12`.
    ///
    /// - Parameter date: The tag of the date. A longer one than that of a day loses its end.
    public func tag(on date: ImageTag, build: Int) throws(ImageProblem) -> ImageTag {
        try ImageTag("\(movingTag)-\(date.text.prefix(8))-\(build)")
    }
}
