public import BuildNodes
public import ComposeWorker
public import ImageModel
public import SystemPackage

/// An image build configuration is the settings of a worker for its builds.
public struct ImageBuildConfiguration: Sendable {
    /// The directory of contexts while they are built. The build account must be able to enter it, and no
    /// other worker may use it.
    public var workDirectory: FilePath
    /// The targets of composes, by their names in requests. Logs of builds go to the first one.
    public var targets: [String: WorkerConfiguration.Target]
    /// The repository of the contexts that were uploaded. Each has its digest as tag, for example
    /// `sha256-2c26…`.
    public var contexts: ImageRepository
    /// The registries that images may be based on. Nil for all.
    public var allowedRegistries: Set<RegistryHost>?
    /// The user that builds. Contexts belong to that user while they are built. Nil if it is the user of
    /// this process.
    public var account: BuildAccount?
    /// Whether images may ask for the network of the host.
    public var allowsHostNetwork = false
    /// The limits of one build. The bytes of log are also those of the log that is kept.
    public var limits = BuildLimits()
    /// The maximum of a context when it is unpacked, in bytes.
    public var contextBytes = 512 << 20
    /// The protocols that git may use for Containerfiles.
    public var gitProtocols = ["https"]
    /// The settings for artifacts. Nil if this worker builds no components.
    public var artifacts: ArtifactSettings?
    /// Whether a build fails if packages vanished or became older that it had not to replace.
    public var refusesUnexpected = false
    /// The name of this service in the provenance: its address, if it has one.
    public var builder = "urn:odcs:service"
    /// Signs the provenance. Nil leaves it without a signature.
    public var provenanceKey: ProvenanceKey?
    /// The interval at which the sweeper looks for files and images that no build needs.
    public var sweepInterval: Duration = .seconds(60)
    /// The time for which logs of builds are kept after the end of the build.
    public var logRetention: Duration = .seconds(30 * 86_400)

    public init(workDirectory: FilePath, targets: [String: WorkerConfiguration.Target], contexts: ImageRepository) {
        self.workDirectory = workDirectory
        self.targets = targets
        self.contexts = contexts
    }

    /// The target that comes first in the order of names.
    var logTarget: FilePath? { targets.min { $0.key < $1.key }?.value.directory }
}
