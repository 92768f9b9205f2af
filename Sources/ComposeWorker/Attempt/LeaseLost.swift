/// The error for a lost lease. Another worker holds the lease, or no worker does. The work under the
/// lease must stop and write nothing.
public struct LeaseLost: Error {
    init() {}
}
