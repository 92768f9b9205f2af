/// A host finding is a property of this host that does not suit the service.
struct HostFinding: Hashable, Sendable, CustomStringConvertible {
    enum Severity: String, Sendable {
        /// The service works, but not as well as it could.
        case warning
        /// The service cannot make composes, or cannot build images although it is configured for that.
        case fatal
    }

    let severity: Severity
    /// The problem, as a sentence.
    let problem: String
    /// The remedy, as a sentence: a package to install or a setting to change.
    let remedy: String

    var description: String { "\(problem) \(remedy)" }
}

/// A host error says that the host cannot run the service, and why.
struct HostError: Error, CustomStringConvertible {
    let findings: [HostFinding]

    var description: String { findings.map(\.description).joined(separator: "\n") }
}
