public import Modules

extension ModuleStream {
    /// Whether machines of a base architecture see the stream.
    ///
    /// A document without an architecture, or of `noarch`, is for all machines (libdnf's rule).
    ///
    /// - Parameter base: For example `x86_64`, or `i386` for machines of i686.
    public func isSeen(byMachinesOf base: String) -> Bool {
        TreeArchitecture(base).map(isSeen(by:)) ?? false
    }

    func isSeen(by machine: TreeArchitecture) -> Bool {
        guard let arch, arch != "noarch" else { return true }
        return machine.native.contains(arch) || TreeArchitecture(arch) == machine
    }
}
