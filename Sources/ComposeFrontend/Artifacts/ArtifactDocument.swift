import Hummingbird
import ImageModel

/// The answer of the artifact API.
///
/// Example: `{"build": 12, "errorMessage": "", "status": "building"}`.
struct ArtifactDocument: Encodable {
    let status: ArtifactStatus
    /// Empty if there is no error.
    let errorMessage: String
    /// The build that has the status.
    var build: Int?
    /// The address of the log of the build.
    var log: String?
    /// The image of the newest build that is done, with its tag.
    var imageName: String?
    var digest: ImageDigest?
    var pullCommand: String?
    /// The address of the archive of a component.
    var component: String?
    /// The digest of the archive.
    var archiveDigest: ImageDigest?

    /// The answer for an artifact without a build.
    init(none reason: String) {
        status = .none
        errorMessage = reason
    }

    /// - Parameters:
    ///   - newest: The build that has the status.
    ///   - done: The build whose image is there.
    init(_ newest: Build, done: Build?, in repository: ImageRepository, _ urls: PublicURLs) {
        status = ArtifactStatus(newest)
        errorMessage = newest.failure?.message ?? ""
        build = newest.id
        log = "\(urls.base)\(BuildController.path)\(newest.id)/log"
        guard let done, let digest = done.digest else { return }
        let name = ImageReference(repository, tag: done.dateTag)
        imageName = name.description
        self.digest = digest
        pullCommand = "podman pull \(name)"
    }

    var response: Response { get throws { try .json(self, status: status.code) } }
}

/// The artifact status says whether an artifact is there.
enum ArtifactStatus: String, Encodable {
    case done, building, failed, none

    /// The status of the newest build of an artifact.
    init(_ build: Build?) {
        self =
            switch build?.state {
            case nil, .removed: .none
            case .wait, .building: .building
            case .done: .done
            case .failed: .failed
            }
    }

    var code: HTTPResponse.Status {
        switch self {
        case .done, .failed: .ok
        case .building: .accepted
        case .none: .notFound
        }
    }
}
