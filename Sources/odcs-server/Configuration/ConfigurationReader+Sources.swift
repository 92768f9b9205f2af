import HTTPEnvironment
import ServiceConfiguration

/// The keys below `sources` for the connection to remote repositories.
extension ConfigurationReader {
    /// Throws ``ConfigurationError`` if a worker could not use the certificates or the proxy of `sources`.
    func checkWays(to sources: ServerConfiguration.Sources) throws {
        guard (sources.certificate == nil) == (sources.key == nil) else {
            throw mistake(
                sources.certificate == nil ? "sources.key" : "sources.certificate", "needs sources.certificate and sources.key together")
        }
        do throws(UnreadableCertificate) {
            _ = try sources.tlsConfiguration()
        } catch {
            throw mistake(error.key, error.message)
        }
        do throws(OutboundProblem) {
            _ = try HTTPEnvironment.process.withProxy(sources.proxy, of: "it")
        } catch {
            // The value is not shown, because it may contain a password.
            throw mistake("sources.proxy", error.description)
        }
    }
}
