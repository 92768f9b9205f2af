import AsyncHTTPClient
import Glibc
import HTTPEnvironment
import NIOCore
import NIOPosix
import NIOSSL

// This file is the seam to the project's common home of retries and of the errors of the network.

/// Runs `operation` until it succeeds, or until `pause` finds no reason to repeat it.
///
/// - Parameter pause: Returns the pause after the failed attempt with the given number, or nil to end
///   with its error. The first attempt has the number 1.
func retrying<Value>(
    clock: any Clock<Duration>, pause: (_ failure: RegistryFailure, _ attempt: Int) -> Duration?,
    operation: () async throws(RegistryFailure) -> Value
) async throws(RegistryFailure) -> Value {
    var attempt = 1
    while true {
        let failure: RegistryFailure
        do throws(RegistryFailure) {
            return try await operation()
        } catch {
            failure = error
        }
        if Task.isCancelled { throw .canceled }
        guard let pause = pause(failure, attempt) else { throw failure }
        do { try await clock.sleep(for: pause) } catch { throw .canceled }
        attempt += 1
    }
}

extension RegistryLimits {
    /// Returns the pause after a failed attempt, or nil if no further attempt is made. The pause is
    /// shortened at random by up to half, but not below the one that the registry asked for.
    func pause(after failure: RegistryFailure, attempt: Int) -> Duration? {
        guard failure.isTransient, attempt < attempts else { return nil }
        let asked = failure.retryAfter ?? .zero
        guard asked <= longestPause else { return nil }
        let ceiling = min(firstPause * (1 << min(attempt - 1, 20)), longestPause)
        return max(ceiling * Double.random(in: 0.5...1), asked)
    }
}

extension RegistryFailure {
    /// Returns the failure of a request that got no answer, or whose answer broke off.
    static func network(_ error: any Error, at origin: String) -> RegistryFailure {
        if let failure = error as? RegistryFailure { return failure }
        if let problem = error as? OutboundProblem {
            return RegistryFailure(.unreachable, "The registry could not be used: \(problem.description).", isTransient: problem.isPassing)
        }
        if error is NIOSSLError || error is BoringSSLError, error as? NIOSSLError != .uncleanShutdown {
            if "\(error)".contains("WRONG_VERSION_NUMBER") {
                return RegistryFailure(
                    .unreachable, "The registry at \(origin) does not speak TLS. Registries without TLS must be listed as insecure.")
            }
            return RegistryFailure(
                .unreachable,
                "No TLS connection to the registry at \(origin) came about: its certificate is not one that is trusted. "
                    + "SSL_CERT_FILE can name the certificates to trust.")
        }
        return .unreachable(reason(error, at: origin))
    }

    private static func reason(_ error: any Error, at origin: String) -> String {
        if let error = error as? HTTPClientError {
            switch error {
            case .connectTimeout: return "no connection to \(origin) came about in time"
            case .readTimeout, .writeTimeout, .deadlineExceeded, .getConnectionFromPoolTimeout: return "\(origin) did not answer in time"
            case .tlsHandshakeTimeout: return "\(origin) did not complete the TLS handshake"
            default: break
            }
        }
        if let error = error as? NIOConnectionError {
            return error.connectionErrors.isEmpty ? "the name in \(origin) has no address" : "\(origin) does not accept connections"
        }
        if let error = error as? IOError, error.errnoCode == ECONNREFUSED { return "\(origin) does not accept connections" }
        return "the connection to \(origin) was cut"
    }
}

/// The value of the header `Retry-After`: the pause that a server asks for (RFC 9110, section 10.2.3).
/// The header's other form, a date, is not supported.
enum RetryAfter {
    static func pause(_ value: String) -> Duration? {
        guard (1...9).contains(value.utf8.count), value.utf8.allSatisfy((UInt8(ascii: "0")...UInt8(ascii: "9")).contains) else {
            return nil
        }
        return Int(value).map { .seconds($0) }
    }
}
