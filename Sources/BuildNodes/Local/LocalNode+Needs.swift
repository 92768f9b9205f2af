import Glibc
import SystemPackage

/// The room of the node for a build.
extension LocalNode {
    /// Throws if the node lacks the disk space or the memory that a build needs. Another attempt may find a
    /// node with more, or more free space on this one.
    func check(_ needs: BuildNeeds, _ limits: BuildLimits) throws {
        try needs.check(
            freeBytes: needs.diskBytes == nil ? nil : directory.freeBytes(),
            memoryBytes: Int(sysconf(Int32(_SC_PHYS_PAGES))) * Int(sysconf(Int32(_SC_PAGESIZE))), limits, of: name)
    }
}
