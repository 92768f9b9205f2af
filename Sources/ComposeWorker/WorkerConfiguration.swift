public import ComposeStore
public import Repodata
public import SystemPackage

/// How a worker works; values only, read from the configuration by the executable.
public struct WorkerConfiguration: Sendable {
    /// Where finished composes go, and where that is served.
    public struct Target: Hashable, Sendable {
        public var directory: FilePath
        /// Without a trailing slash.
        public var url: String

        public init(directory: FilePath, url: String) {
            self.directory = directory
            self.url = url
        }
    }

    /// Names this worker among all that share the database, and must not be another's.
    public var name: String
    /// How many composes it works at, at the same time.
    public var slots: Int
    /// By the name that a request gives as `target_dir`.
    public var targets: [String: Target]
    /// How long a lease lasts; it is renewed every third of it, and what a lost worker was at begins anew after it.
    public var leaseLength: Duration = .seconds(15)
    /// How long an idle worker waits at the most before it looks for work unasked, should a notification be lost.
    public var pollInterval: Duration = .seconds(5)
    /// How often the reaper and the expirer look.
    public var reapInterval: Duration = .seconds(4)
    public var expireInterval: Duration = .seconds(10)
    /// How often Koji is asked whether watched tags have changed.
    public var watchInterval: Duration = .seconds(30)
    /// How often directories that belong to nothing are looked for.
    public var sweepInterval: Duration = .seconds(60)
    /// How long metadata of repositories is kept that no compose asks for; without it, what was pinned to it can no longer be renewed.
    public var metadataRetention: Duration = .seconds(90 * 86_400)
    /// How long published events are kept.
    public var eventRetention: Duration = .seconds(7 * 86_400)
    /// How long it is remembered which request came with which Idempotency-Key.
    public var submissionRetention: Duration = .seconds(86_400)
    public var retries = RetryPolicy()
    /// How long one attempt at a compose may take.
    public var composeLimit: Duration = .seconds(7200)
    public var compression: RepositoryWriter.Options.Compression = .gzip
    /// Signs every repomd.xml when set.
    public var signer: RepomdSigner?
    /// Whether clients are told to check the packages' own signatures.
    public var gpgcheck = false

    public init(name: String, slots: Int = 1, targets: [String: Target]) {
        self.name = name
        self.slots = slots
        self.targets = targets
    }
}
