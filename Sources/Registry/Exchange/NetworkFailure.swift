import HTTPEnvironment

extension RegistryFailure {
    /// Returns the failure of a request that got no answer, or whose answer broke off.
    static func network(_ error: any Error, at origin: String) -> RegistryFailure {
        if let failure = error as? RegistryFailure { return failure }
        let problem = NetworkProblem(error)
        switch problem {
        case .notSent(let problem):
            return RegistryFailure(.unreachable, "The registry could not be used: \(problem).", isTransient: problem.isPassing)
        case .tls(.notTLS):
            return RegistryFailure(
                .unreachable,
                "The registry at \(origin) does not speak TLS. If it may be used without TLS, list it as insecure in the settings, "
                    + "or use --insecure for one on this host.")
        case .tls:
            return RegistryFailure(
                .unreachable, "The registry at \(origin) \(problem.words()). SSL_CERT_FILE can name the certificates to trust.")
        default:
            return .unreachable("\(origin) \(problem.words())")
        }
    }
}
