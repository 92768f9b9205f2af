import ImageArchive
import ImageModel
import Registry

/// The reason why an image could not be fetched, as an explanation for a person.
public struct FetchFailure: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Code: String, Hashable, Sendable, CaseIterable {
        /// The registry could not be used, or refused the request.
        case registry
        /// The registry does not have the image.
        case notFound = "not-found"
        /// The image, its archive or the cache cannot be used.
        case image
        /// The tag of the address is not the tag of its digest.
        case tagMoved = "tag-moved"
        /// The image is not for the platform.
        case platform
        /// The archive is not in the cache, and nothing may be downloaded.
        case offline
    }

    public let code: Code
    public let description: String

    init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }

    /// Returns the failure that an error of one of the parts means. Cancellation stays what it is.
    static func of(_ error: any Error) -> any Error {
        switch error {
        case let failure as FetchFailure: failure
        case let failure as RegistryFailure where failure.code == .canceled: CancellationError()
        case let failure as RegistryFailure: FetchFailure(failure.code == .notFound ? .notFound : .registry, failure.message)
        case let failure as ImageArchiveError: FetchFailure(.image, failure.message)
        case let problem as ImageProblem:
            FetchFailure(problem.code == .platformNotFound ? .platform : .image, problem.description)
        default: error
        }
    }
}
