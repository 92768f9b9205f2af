/// The choices of a caller that unpacks layers.
public struct UnpackOptions: Hashable, Sendable {
    /// Whether files get the owners that the layers name. Only root can do that. Otherwise all files
    /// belong to the user who unpacks.
    public var keepsOwners = false
    /// Whether setuid, setgid and sticky bits stay. Otherwise they are cleared.
    public var keepsSpecialBits = false

    public init() {}
}

/// The result of unpacking layers.
public struct UnpackReport: Hashable, Sendable {
    /// The number of entries that were unpacked, whiteouts included.
    public internal(set) var entries = 0
    /// The number of bytes in files.
    public internal(set) var bytes = 0
    /// The number of entries that were left out: devices, pipes and unknown kinds.
    public internal(set) var leftOut = 0
    /// A sentence for each of the first entries that were left out.
    public internal(set) var notes: [String] = []

    private static let mostNotes = 20

    mutating func count(_ bytes: Int) {
        entries += 1
        self.bytes += bytes
    }

    mutating func leaveOut(_ entry: TarEntry, because reason: String) {
        leftOut += 1
        if notes.count < Self.mostNotes { notes.append("\(entry.shownPath) was left out: \(reason).") }
    }
}
