import BuildNodes

extension HostCheck {
    /// Checks whether images can be built here, if the configuration says that they are.
    func imageBuilds() -> [HostFinding] {
        guard configuration.images.isBuildingHere else { return [] }
        return BuildHost.failures(account: configuration.images.account).map { failure in
            HostFinding(
                severity: .fatal, problem: failure.sentence,
                remedy: "If this host is not to build images, set images.slots to 0.")
        }
    }
}
