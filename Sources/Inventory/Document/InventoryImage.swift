public import ComposeModel
public import ImageModel

/// An *inventory image* is the definition of one image: its Containerfile, its platforms and its tags.
public struct InventoryImage: Hashable, Sendable {
    /// The name below the registry, for example `fedora` or `team/web`.
    public let name: String
    /// The line of its definition in the inventory.
    public let line: Int?
    public let recipe: Recipe
    /// The folder whose files COPY can take, relative to the inventory. `nil`: no files.
    public let context: String?
    public let platforms: [Platform]
    public let packages: [String]
    /// Values for the template, beside the parameters.
    public let variables: [String: Variable]
    /// The images of this inventory that are built first: each by the build argument that gets its name.
    public let parents: [String: String]
    /// Build arguments with fixed values.
    public let arguments: [String: String]
    public let tags: ImageTags
    public let requirements: [Requirement]
    /// The parameter that must be `Y`. Otherwise the image is left out.
    public let condition: String?
    /// Folders that a node keeps for later builds: the path in the container, by name.
    public let caches: [String: String]
    /// The free disk space that a build needs, in megabytes.
    public let disk: Int?
    /// The memory that a build needs, in megabytes.
    public let memory: Int?
    public let network: BuildNetwork
    /// The ids of the secrets that RUN may mount.
    public let secrets: [String]
    /// The request for the compose that the service installs packages from.
    public let content: ComposeSubmission?
    /// Whether a rebuild upgrades the affected packages by a RUN of its own.
    public let update: Bool

    /// The source of an image's Containerfile.
    public enum Recipe: Hashable, Sendable {
        /// The name of a template: `fedora` is the file `templates/fedora.mustache`.
        case template(String)
        /// The path of a Containerfile, relative to the inventory.
        case containerfile(String)
    }

    /// A value for a template.
    public enum Variable: Hashable, Sendable {
        case text(String)
        case flag(Bool)
        case list([String])
    }

    /// Whether RUN can reach the network of the host.
    public var reachesHost: Bool { network == .host }

    /// The name of the image's folder in a generated tree. A name of an image never has a plus sign.
    public var folder: String { name.replacing("/", with: "+") }
}

extension Platform {
    /// The platform as part of a tag or of a file name, for example `linux-arm-v7`.
    public var dashed: String { description.replacing("/", with: "-") }
}
