/// The names of a compose's files below its target directory; the same on disk and in URLs.
public struct ComposeLayout: Hashable, Sendable {
    /// The compose whose directory it is.
    public let id: Int

    public init(id: Int) {
        self.id = id
    }

    /// The compose of which `name` is the directory's name, or its second name; `nil` for a name that is neither.
    public init?(directoryName name: some StringProtocol) {
        let isLatest = name.hasPrefix("latest-odcs-") && name.hasSuffix("-1")
        guard isLatest || name.hasPrefix("odcs-"), let id = Int(isLatest ? name.dropFirst(12).dropLast(2) : name.dropFirst(5)) else {
            return nil
        }
        self.init(id: id)
        // Not `odcs-+12`, nor `odcs-012`.
        guard name == directory || name == latest else { return nil }
    }

    /// `odcs-12`, the directory's name and the stem of every other one.
    public var directory: String { "odcs-\(id)" }

    /// `latest-odcs-12-1`, the second name of the same directory, kept from the first published form.
    public var latest: String { "latest-odcs-\(id)-1" }

    /// The directory of the repositories, below ``directory``.
    public static let repositories = "compose/Temporary"

    /// The `.repo` file, below ``directory``.
    public var repoFile: String { "\(Self.repositories)/\(directory).repo" }

    /// The log that grows while the compose runs, below ``directory``; named as the reference names it.
    public static let log = "pungi-stderr.log"

    /// Where logs of composes are kept while and after they run, below the target directory.
    public static let logs = ".logs"

    /// The log's place below the target directory while ``directory`` is not there yet, and for a compose that failed.
    public var pendingLog: String { "\(Self.logs)/\(directory).log" }

    /// Where attempts build, below the target directory: the same file system, so that the result appears by one rename.
    public static let work = ".work"

    /// The directory of one attempt, below the target directory.
    public func attempt(_ token: String) -> String { "\(Self.work)/\(directory).\(token)" }
}
