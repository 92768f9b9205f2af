public import ComposeStore
public import Compression
public import Foundation
public import Repodata
public import SystemPackage

/// A worker configuration is the settings of one worker. It holds only values, which the executable
/// reads from the configuration.
public struct WorkerConfiguration: Sendable {
    /// A target is a directory for finished composes, with the URL at which the directory is served.
    public struct Target: Hashable, Sendable {
        public var directory: FilePath
        /// The URL of the directory, without a trailing slash.
        public var url: String
        /// The id of the directory, which the file `.odcs-target` in it has. If it is `nil`, attempts do not
        /// compare it.
        public var identity: UUID?

        public init(directory: FilePath, url: String) {
            self.directory = directory
            self.url = url
        }
    }

    /// The name of this worker. It must be unique among all workers that share the database.
    public var name: String
    /// The lock by which others see that this worker is alive. Nil if it has none.
    public var presence: WorkerPresence?
    /// The number of composes that the worker makes at the same time.
    public var slots: Int
    /// The targets, by the name that a request gives as `target_dir`.
    public var targets: [String: Target]
    /// The length of a lease. If a host hangs or is cut off, its composes begin anew after this time.
    public var leaseLength: Duration = .seconds(15)
    /// The longest time that an idle worker waits before it looks for work without a notification. It
    /// matters if a notification is lost.
    public var pollInterval: Duration = .seconds(5)
    /// The interval at which the reaper looks for lost workers.
    public var reapInterval: Duration = .milliseconds(500)
    /// The interval at which the reaper looks for composes that no worker can make.
    public var refusalInterval: Duration = .seconds(4)
    /// The interval at which the expirer looks for expired composes.
    public var expireInterval: Duration = .seconds(10)
    /// The interval at which a worker asks Koji whether watched tags have changed.
    public var watchInterval: Duration = .seconds(30)
    /// The interval at which the sweeper looks for directories that belong to no compose.
    public var sweepInterval: Duration = .seconds(60)
    /// The interval at which a worker looks for API tokens that expire soon.
    public var tokenInterval: Duration = .seconds(60)
    /// The time before the end of an API token from which on its owner is warned.
    public var tokenWarning = APIToken.warning
    /// The time for which metadata of repositories is kept while no compose asks for it. After that,
    /// composes that are pinned to the metadata can no longer be renewed.
    public var metadataRetention: Duration = .seconds(90 * 86_400)
    /// The time for which published events are kept.
    public var eventRetention: Duration = .seconds(7 * 86_400)
    /// The time for which the service remembers the request that came with an Idempotency-Key.
    public var submissionRetention: Duration = .seconds(86_400)
    /// The time for which entries of the audit are kept.
    public var auditRetention: Duration = .seconds(400 * 86_400)
    /// The address of a page that shows a trace, with `{trace}` for its id. The log of a compose has it.
    public var traceLink: String?
    public var retries = RetryPolicy()
    /// The longest time that one attempt at a compose may take.
    public var composeLimit: Duration = .seconds(7200)
    public var compression: WritableCompression = .gzip
    /// Signs every repomd.xml, if it is set.
    public var signer: RepomdSigner?
    /// Whether `.repo` files make clients check the packages' own signatures.
    public var gpgcheck = false

    public init(name: String, slots: Int = 1, targets: [String: Target]) {
        self.name = name
        self.slots = slots
        self.targets = targets
    }
}
