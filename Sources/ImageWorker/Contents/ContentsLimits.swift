public import ImageArchive

/// The limits for reading the contents of a stranger's image.
public struct ContentsLimits: Hashable, Sendable {
    public var layer = LayerLimits()
    /// The most bytes of an rpmdb.
    public var databaseBytes = 256 << 20
    /// The most seconds of processor time of the process that reads an rpmdb, and its most megabytes of
    /// address space.
    public var seconds = 30
    public var megabytes = 2048
    /// The longest time that this process may take.
    public var time = Duration.seconds(120)

    public init() {}
}
