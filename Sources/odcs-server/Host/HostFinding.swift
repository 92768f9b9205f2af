/// Something about this host that is not as the service needs it.
struct HostFinding: Hashable, Sendable, CustomStringConvertible {
    enum Severity: String, Sendable {
        /// The service works, but not as well as it could.
        case warning
        /// The service cannot make composes.
        case fatal
    }

    let severity: Severity
    /// What is wrong, a sentence.
    let problem: String
    /// What to install or to change, a sentence.
    let remedy: String

    var description: String { "\(problem) \(remedy)" }
}

/// The host cannot run the service, for the reasons that are named.
struct HostError: Error, CustomStringConvertible {
    let findings: [HostFinding]

    var description: String { findings.map(\.description).joined(separator: "\n") }
}
