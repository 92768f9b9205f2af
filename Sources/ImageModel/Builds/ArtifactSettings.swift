import ForeignText

/// The *artifact settings* are the operator's settings for artifacts (`artifacts` in the
/// configuration).
public struct ArtifactSettings: Hashable, Sendable {
    /// The place of all artifacts in a registry.
    public var namespace: ImageNamespace
    /// The image in which components are built, by the name of the operating system. Example: `rocky9`.
    public var environments: [String: ImageReference]
    /// The addresses below which components may be cloned, although sources of images may not. They do not
    /// end with a slash. Example: `https://git.example.org/components`.
    public var git: [String]
    /// The platform of all artifacts.
    public var platform: Platform

    public init(
        namespace: ImageNamespace, environments: [String: ImageReference] = [:], git: [String] = [], platform: Platform = .host
    ) {
        self.namespace = namespace
        self.environments = environments
        self.git = git
        self.platform = platform
    }

    /// Returns the repository of an artifact.
    public func repository(of artifact: Artifact) throws(ImageProblem) -> ImageRepository {
        try namespace.repository(artifact.repositoryName)
    }

    /// Returns whether a repository of git is below an address of the operator.
    public func allows(git url: String) -> Bool {
        git.contains { place in
            guard url.hasPrefix("\(place)/") else { return false }
            let path = url.dropFirst(place.count + 1)
            // Git decodes percent signs, so they could hide a path that leads elsewhere.
            return path.wholeMatch(of: /[A-Za-z0-9._~+\/-]+/) != nil
                && path.split(separator: "/").allSatisfy { PathComponent.accepts(String($0)) }
        }
    }

    /// The address of a component of which only the name is known, or `nil` if there is no address below
    /// which it could be.
    public func url(of component: String) -> String? { git.first.map { "\($0)/\(component)" } }
}
