import Identity

extension IdentityChain {
    /// The metrics of the providers, also of those that were not asked yet.
    var families: [MetricFamily] {
        let counts = providers.map { ($0.name, failures[$0.name]) }
        return [
            MetricFamily(
                "odcs_identity_provider_up", help: "Whether the provider could check the last credentials.", kind: .gauge,
                samples: counts.map { .init(labels: [("provider", $0)], value: $1.isUp ? 1 : 0) }),
            MetricFamily(
                "odcs_identity_failures_total", help: "Credentials that were refused.", kind: .counter,
                samples: counts.flatMap { name, count in
                    IdentityFailures.Reason.allCases.map { reason in
                        .init(labels: [("provider", name), ("why", reason.rawValue)], value: Double(count.failures[reason] ?? 0))
                    }
                }),
        ]
    }
}
