/// The *needs* of a build are the free disk space and the memory without which it does not begin.
public struct BuildNeeds: Hashable, Sendable {
    public var diskBytes: Int?
    public var memoryBytes: Int?

    public init(diskBytes: Int? = nil, memoryBytes: Int? = nil) {
        self.diskBytes = diskBytes
        self.memoryBytes = memoryBytes
    }
}
