import OpenID
import SystemPackage

extension ServerConfiguration {
    /// The identity providers whose tokens show people and workloads.
    struct OpenID: Hashable, Sendable {
        /// An identity provider of people.
        struct Provider: Hashable, Sendable {
            var settings: OpenIDSettings
            var issuer: ProviderURL
            var algorithms: [SigningAlgorithm]
            /// The file with the secret of this service at the provider. The configuration itself has no secret.
            var clientSecretFile: FilePath?
            /// A PEM file with the certificates to trust. `nil` means those of the environment or the system.
            var ca: FilePath?
        }

        /// A workload, with the service that issues its tokens.
        struct Workload: Hashable, Sendable {
            var rule: WorkloadRule
            var issuer: ProviderURL
            var ca: FilePath?
        }

        /// The providers in the order of their names.
        var providers: [Provider]
        /// The workloads in the order of their names.
        var workloads: [Workload]
    }
}
