import Glibc
import SystemPackage

/// The room of the node for a build.
extension LocalNode {
    /// Throws if the node lacks the disk space or the memory that a build needs. Another attempt may find a
    /// node with more, or more free space on this one.
    func check(_ needs: BuildNeeds, _ limits: BuildLimits) throws {
        if let needed = needs.diskBytes {
            let free = try directory.freeBytes()
            guard free >= needed else {
                throw NodeFailure(
                    .diskFull, "The image needs \(needed >> 20) MB of free disk space, and the node \(name) has \(free >> 20) MB.")
            }
        }
        if let needed = needs.memoryBytes {
            let memory = Int(sysconf(Int32(_SC_PHYS_PAGES))) * Int(sysconf(Int32(_SC_PAGESIZE)))
            let (most, owner) = limits.memoryBytes.map { $0 < memory ? ($0, "a build gets") : (memory, "it has") } ?? (memory, "it has")
            guard most >= needed else {
                throw NodeFailure(
                    .memoryMissing,
                    "The image needs \(needed >> 20) MB of memory, and the node \(name) is smaller: \(owner) \(most >> 20) MB.")
            }
        }
    }
}
