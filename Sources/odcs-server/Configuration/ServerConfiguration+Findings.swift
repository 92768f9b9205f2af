import ComposeWorker

extension ServerConfiguration {
    /// The settings that the service accepts although they do not have the effect that the operator may
    /// expect. Each finding says the remedy too.
    var findings: [String] {
        var findings: [String] = []
        if frontend.repeatSeconds > 0, auth.mechanisms.isEmpty {
            findings.append(
                "frontend.repeat_seconds has no effect: it applies to users that the service has identified, and auth.mechanisms is empty. "
                    + "Let clients repeat a request with the same Idempotency-Key header.")
        }
        if let pungi = systems.pungi, .seconds(worker.composeSeconds) <= pungi.timeLimit {
            findings.append(
                "worker.compose_seconds is \(worker.composeSeconds), which is not more than raw_config.timeout_seconds, "
                    + "\(pungi.timeLimit.components.seconds). A compose of the type raw_config fails before Pungi has had its time. "
                    + "Raise worker.compose_seconds, or lower raw_config.timeout_seconds.")
        }
        if let directory, directory.isInTheOpen {
            findings.append(
                "auth.directory.url is \(directory.address), which is not encrypted: others in the network could change the groups of people. "
                    + "Use ldaps://, or set auth.directory.start_tls.")
        }
        return findings + accessFindings
    }
}
