import Glibc
package import SystemPackage

/// The reason why repository metadata or an RPM file could not be read or written.
///
/// ``message`` is for people. It names documents as rpm-md does (`filelists`), and files by their href.
/// It never contains a path of this host.
public struct RepodataError: Error, Hashable, Sendable {
    /// The kind of failure. The number of kinds is bounded, so they can be used as labels of metrics.
    public enum Code: String, Hashable, Sendable, CaseIterable {
        /// The operating system refused to read or write.
        case io
        /// A document or file violates its format: it is not well-formed, lacks an attribute, or contradicts
        /// itself.
        case malformed
        /// A document or file has content that its format allows but this service refuses, such as a DOCTYPE or
        /// an href that leaves the repository.
        case forbidden
        /// The bytes do not have the expected checksum.
        case checksumMismatch
        /// There are more bytes than the limit allows.
        case tooLarge
        /// A file or its compressed data ends too early.
        case truncated
        /// A format or algorithm that this library does not read or write.
        case unsupported
        /// The metadata lacks the requested package, or a document that the package needs.
        case missing
        /// The file is not an RPM package.
        case notAnRPM
        /// gpg could not sign.
        case signing
        /// This host lacks something that a library needs. The repositories and packages are not the cause.
        case host
    }

    public let code: Code
    public let message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}

extension RepodataError: CustomStringConvertible {
    public var description: String { "\(message) (\(code.rawValue))" }
}

extension RepodataError {
    /// Returns the last error of the C library. `file` is the href or document name for the message.
    package static func lastSystemError(_ file: String) -> RepodataError {
        RepodataError(.io, "\(file): \(Errno(rawValue: errno))")
    }

    /// Runs `body` and adds the name of `file` to an error of the operating system.
    package static func io<Result>(_ file: String, _ body: () throws -> Result) throws(RepodataError) -> Result {
        do {
            return try body()
        } catch let error as RepodataError {
            throw error
        } catch let error as Errno {
            throw RepodataError(.io, "\(file): \(error)")
        } catch {
            throw RepodataError(.io, "\(file): \(error)")
        }
    }
}

extension FilePath {
    /// The name of this file in messages: the last component of its path.
    package var shortName: String { lastComponent?.string ?? "(no name)" }
}
