import ImageModel

/// The reason why a layer, an archive or the download cache could not be read or written.
///
/// ``message`` is for people. It names layers by their digest and files by their name in the archive.
/// Names that come from an image are printable in it.
public struct ImageArchiveError: Error, Hashable, Sendable {
    /// The kind of failure. The number of kinds is bounded, so they can be used as labels of metrics.
    public enum Code: String, Hashable, Sendable, CaseIterable {
        /// The operating system refused to read or write.
        case io
        /// The bytes violate their format.
        case malformed
        /// The bytes keep to their format but would do something that is refused, such as writing outside
        /// of the target directory.
        case forbidden
        /// The bytes do not have the expected digest or size.
        case digestMismatch
        /// There is more than a limit allows.
        case tooLarge
        /// The bytes end too early.
        case truncated
        /// A format or feature that is not read here.
        case unsupported
        /// The archive lacks a part that it names or must have.
        case missing
    }

    public let code: Code
    public let message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}

extension ImageArchiveError: CustomStringConvertible {
    public var description: String { message }
}

extension ImageArchiveError {
    /// Runs calls of the operating system and adds the name of the file to their error.
    static func io<Result>(_ file: String, _ body: () throws -> Result) throws(ImageArchiveError) -> Result {
        do {
            return try body()
        } catch let error as ImageArchiveError {
            throw error
        } catch {
            throw ImageArchiveError(.io, "\(file): \(error)")
        }
    }
}

extension ImageArchiveError {
    /// Runs a check of documents or digests of an image.
    static func checking<Result>(_ body: () throws(ImageProblem) -> Result) throws(ImageArchiveError) -> Result {
        do throws(ImageProblem) {
            return try body()
        } catch {
            let code: Code =
                switch error.code {
                case .mismatch: .digestMismatch
                case .unsupported: .unsupported
                case .limitExceeded: .tooLarge
                default: .malformed
                }
            throw ImageArchiveError(code, error.description)
        }
    }
}
