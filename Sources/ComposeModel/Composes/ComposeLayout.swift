/// The names of a compose's files below its target directory. They are the same on disk and in URLs.
public struct ComposeLayout: Hashable, Sendable {
    /// The compose that the directory belongs to.
    public let id: Int

    public init(id: Int) {
        self.id = id
    }

    /// Returns the layout of the compose whose directory is called ``directory`` or ``latest``, or `nil`
    /// for any other name.
    public init?(directoryName name: some StringProtocol) {
        let isLatest = name.hasPrefix("latest-odcs-") && name.hasSuffix("-1")
        guard isLatest || name.hasPrefix("odcs-"), let id = Int(isLatest ? name.dropFirst(12).dropLast(2) : name.dropFirst(5)) else {
            return nil
        }
        self.init(id: id)
        // This refuses `odcs-+12` and `odcs-012`, which also parse as numbers.
        guard name == directory || name == latest else { return nil }
    }

    /// The directory's name, which also begins the names of the other files. Example: `odcs-12`.
    public var directory: String { "odcs-\(id)" }

    /// A second name of the same directory, kept from the first published form of ODCS. Example:
    /// `latest-odcs-12-1`.
    public var latest: String { "latest-odcs-\(id)-1" }

    /// The directory of the repositories, below ``directory``.
    public static let repositories = "compose/\(TreeLayout.variant)"

    /// The `.repo` file, below ``directory``.
    public var repoFile: String { "\(Self.repositories)/\(directory).repo" }

    /// The list of packages with their checksums, below ``directory``. Composes of Pulp and Pungi list
    /// other things.
    public static let lockFile = "compose.lock.json"

    /// The log below ``directory``, which grows while the compose runs. It has the name that the reference
    /// implementation uses.
    public static let log = "pungi-stderr.log"

    /// The directory of the logs, below the target directory. Logs are kept there during and after a
    /// compose.
    public static let logs = ".logs"

    /// The log's place below the target directory as long as ``directory`` does not exist, and for a
    /// compose that failed.
    public var pendingLog: String { "\(Self.logs)/\(directory).log" }

    /// The directory in which attempts build, below the target directory. It is on the same file system, so
    /// one rename publishes the result.
    public static let work = ".work"

    /// Returns the directory of one attempt, below the target directory. Example: `.work/odcs-12.TOKEN`.
    public func attempt(_ token: String) -> String { "\(Self.work)/\(directory).\(token)" }
}
