import Glibc
import SystemPackage

/// Why repository metadata or an RPM file could not be read or written.
///
/// ``message`` is for people: it names documents as rpm-md does (`filelists`) and files by their href, never by a path of this host.
public struct RepodataError: Error, Hashable, Sendable {
    /// What kind of failure it is; bounded, so fit for labels.
    public enum Code: String, Hashable, Sendable, CaseIterable {
        /// The operating system refused to read or write.
        case io
        /// A document or file is not what its format says: not well-formed, an attribute missing, or its parts contradict each other.
        case malformed
        /// What a document or file may say but this service will not follow: a DOCTYPE, an href that leaves the repository.
        case forbidden
        /// The bytes are not those that were promised.
        case checksumMismatch
        /// More bytes than the limit given.
        case tooLarge
        /// A compressed file ends in the middle.
        case truncated
        /// A format or algorithm that this library does not read or write.
        case unsupported
        /// The package asked for is not in the metadata, or the metadata lacks a document that it needs.
        case missing
        /// The file is not an RPM package.
        case notAnRPM
        /// gpg could not sign.
        case signing
        /// This host lacks something that a library needs. No repository and no package is to blame.
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
    /// The last error of the C library, for a `file` that is named by its href or document.
    static func lastSystemError(_ file: String) -> RepodataError {
        RepodataError(.io, "\(file): \(Errno(rawValue: errno))")
    }

    /// Runs `body` and says of which `file` an error of the operating system is.
    static func io<Result>(_ file: String, _ body: () throws -> Result) throws(RepodataError) -> Result {
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
    /// How messages name this file: the last component of its path.
    var shortName: String { lastComponent?.string ?? "(no name)" }
}
