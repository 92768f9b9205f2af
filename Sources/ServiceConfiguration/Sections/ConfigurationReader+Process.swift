public import SystemPackage

/// Keys that every process of a service needs.
extension ConfigurationReader {
    /// Returns the directory in which the service keeps its files.
    public mutating func stateDirectory() throws -> FilePath { try path("state_directory", default: "/var/lib/odcs") }

    /// Returns the length of a worker's lease, in seconds.
    public mutating func leaseSeconds() throws -> Int { try int("worker.lease_seconds", default: 15, in: 3...3600) }
}
