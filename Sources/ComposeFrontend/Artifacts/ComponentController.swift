import ComposeStore
import ForeignText
import Foundation
import Hummingbird
import ImageArchive
import ImageModel
import NIOCore
import Registry

/// The handlers of `/component`: build a component from a git repository, upload it as an archive, and
/// get its archive.
struct ComponentController: Sendable {
    static let path = "/component"
    /// The bytes of a form that are not those of the archive.
    private static let formBytes = 65_536

    let configuration: FrontendConfiguration
    let store: ComposeStore

    var resources: [Resource] {
        [
            Resource(
                RouterPath(Self.path),
                [.get: .open(show), .post: .needs(.buildImage, build), .put: .needs(.buildImage, upload)])
        ]
    }

    private func building(_ request: Request, _ context: FrontendContext) throws(RequestRejection) -> ArtifactBuilding {
        context.subject.claims = ArtifactFields.claims(in: request.headers)
        return ArtifactBuilding(configuration: configuration, store: store, service: try configuration.imageService)
    }

    // MARK: Building

    private func build(_ request: Request, _ context: FrontendContext, _ grant: Grant) async throws -> Response {
        let building = try building(request, context)
        try grant.admitImages()
        let fields = try await ArtifactFields(request, limit: configuration.bodyLimit)
        let artifact = try fields.artifact(.component)
        let build = try await self.build(artifact, from: try fields.text("url"), building, grant, request, context)
        return try await answer(build, artifact, building, request)
    }

    private func build(
        _ artifact: Artifact, from url: String, _ building: ArtifactBuilding, _ grant: Grant, _ request: Request, _ context: FrontendContext
    ) async throws -> Build {
        let service = building.service
        guard service.artifacts.environments[artifact.environment] != nil else {
            throw RequestRejection.badRequest(noEnvironment(for: artifact, service))
        }
        try DefinitionReader.checkWord(url, "url")
        if !service.artifacts.allows(git: url) {
            try DefinitionReader(service: service, places: configuration.admission.places, validator: configuration.validator)
                .checkGit(url, "url")
        }
        return try await building.build(
            artifact, from: .git(url: url, reference: artifact.version, folder: ""), by: grant, request, context)
    }

    private func noEnvironment(for artifact: Artifact, _ service: ImageService) -> String {
        let names = service.artifacts.environments.keys.sorted()
        return "There is no environment to build a component for \(artifact.environment). The setting artifacts.environments has "
            + "\(names.isEmpty ? "none" : names.joined(separator: ", "))."
    }

    /// Takes an archive as a component. The body is the archive, or a form with the archive as its part
    /// `file`.
    private func upload(_ request: Request, _ context: FrontendContext, _ grant: Grant) async throws -> Response {
        let building = try building(request, context)
        let service = building.service
        try grant.admitImages()
        let limit = service.contextBytes
        if let length = request.headers[.contentLength].flatMap(Int.init), length > limit + Self.formBytes {
            throw RequestRejection.bodyTooLarge(limit: limit)
        }
        let uploads = grant.uploadLimit(of: request, context, configuration.callers)
        if let uploads { try await store.checkUpload(ofBytes: nil, within: uploads) }
        do {
            let spool = try ContextSpool(in: service.scratch, of: .component, limit: limit)
            let fields = try await receive(request, into: spool, limit: limit)
            let artifact = try fields.artifact(.component)
            try grant.admit(try building.repository(of: artifact))
            let (archive, _) = try await spool.finish()
            // Nothing is kept of an upload that is refused.
            try await building.check(artifact, from: .archive(archive.digest), by: grant, request)
            if let uploads { try await store.recordUpload(of: archive.digest, bytes: archive.size, within: uploads) }
            try await ContextStore(service: service).store(archive, spool.content, containerfile: nil)
            let build = try await building.build(artifact, from: .archive(archive.digest), by: grant, request, context)
            return try await answer(build, artifact, building, request)
        } catch let error as ImageArchiveError where error.code != .io {
            throw RequestRejection.badRequest(error.message)
        }
    }

    private func receive(_ request: Request, into spool: ContextSpool, limit: Int) async throws -> ArtifactFields {
        var fields = try ArtifactFields(query: request)
        var reader = try MultipartReader(contentType: request.headers[.contentType])
        let hasForm = reader != nil
        var (parts, current, isArchiveComplete) = (ArtifactFields.Parts(), "", false)
        var (allBytes, formBytes, archiveBytes) = (0, 0, 0)
        func append(_ bytes: ByteBuffer) async throws {
            archiveBytes += bytes.readableBytes
            guard archiveBytes <= limit else { throw RequestRejection.bodyTooLarge(limit: limit) }
            try await spool.append(bytes)
        }
        for try await bytes in request.body {
            // Bytes before and after the parts of a form count too.
            allBytes += bytes.readableBytes
            guard allBytes <= limit + (hasForm ? Self.formBytes : 0) else { throw RequestRejection.bodyTooLarge(limit: limit) }
            guard let events = try reader?.read(bytes.readableBytesView) else {
                try await append(bytes)
                continue
            }
            for event in events {
                if case .part(let name) = event { current = name }
                if current == "file" {
                    guard !isArchiveComplete else { throw RequestRejection.badRequest("The form has more than one part file.") }
                    if case .content(let bytes) = event { try await append(ByteBuffer(bytes: bytes)) }
                    if case .endOfPart = event { isArchiveComplete = true }
                    continue
                }
                if case .content(let bytes) = event {
                    formBytes += bytes.count
                    guard formBytes <= Self.formBytes else { throw RequestRejection.bodyTooLarge(limit: Self.formBytes) }
                }
                if let (name, bytes) = parts.take(event) { try fields.set(name, bytes) }
            }
        }
        try reader?.finish()
        guard archiveBytes > 0 else {
            throw RequestRejection.badRequest(
                "There is no archive. The body must be a tar archive, which may be compressed with gzip or zstd, or a form with the archive "
                    + "as its part file.")
        }
        return fields
    }

    // MARK: Answers

    private func show(_ request: Request, _ context: FrontendContext) async throws -> Response {
        let building = try building(request, context)
        let fields = try await ArtifactFields(request, limit: configuration.bodyLimit)
        let artifact = try fields.artifact(.component)
        guard let known = try await building.known(artifact), let newest = known.builds.newest, newest.state != .removed else {
            return try await buildMissing(artifact, building, request, context)
        }
        let wantsArchive = wantsArchive(request, fields)
        guard let done = known.builds.done, newest.state.isFinal else {
            var answer = try await answer(newest, artifact, building, request)
            // A program that asks for the archive must not take the reason of a failure for it.
            if wantsArchive, newest.state.isFinal { answer.status = .notFound }
            return answer
        }
        guard let archive = try await archive(of: done, in: known.image.repository, building.service) else {
            // If the newest build has failed, another one would fail too, at each request.
            guard newest.id == done.id else {
                var answer = try await answer(newest, artifact, building, request)
                if wantsArchive { answer.status = .notFound }
                return answer
            }
            return try await buildMissing(artifact, building, request, context)
        }
        if wantsArchive { return response(archive, known.image.repository, building.service) }
        return try await answer(newest, artifact, building, request)
    }

    /// Asks for the build of a component that is not there.
    private func buildMissing(
        _ artifact: Artifact, _ building: ArtifactBuilding, _ request: Request, _ context: FrontendContext
    ) async throws -> Response {
        let repository = try building.repository(of: artifact)
        let none = "There is no component \(artifact.component) with the tag \(artifact.version) for \(artifact.environment)"
        guard building.service.artifacts.environments[artifact.environment] != nil else {
            return try ArtifactDocument(none: "\(none). \(noEnvironment(for: artifact, building.service))").response
        }
        let url = try await store.gitURL(of: artifact, in: repository) ?? building.service.artifacts.url(of: artifact.component)
        guard let url else {
            return try ArtifactDocument(none: "\(none), and its git repository is not known. Ask for it with POST and a url.").response
        }
        guard request.method == .get else { return try ArtifactDocument(none: "\(none).").response }
        // Reading needs no credentials, and a build does. A browser may have some of its own.
        try CrossSiteRule(serverURL: configuration.serverURL).checkPage(of: request)
        let grant = try configuration.access.grant(.buildImage, to: context.subject.sender)
        let build = try await self.build(artifact, from: url, building, grant, request, context)
        return try await answer(build, artifact, building, request)
    }

    private func answer(
        _ build: Build, _ artifact: Artifact, _ building: ArtifactBuilding, _ request: Request
    ) async throws -> Response {
        let urls = PublicURLs(configuration, request)
        let repository = try building.repository(of: artifact)
        let done = try await building.known(artifact)?.builds.done
        var document = ArtifactDocument(build, done: done, in: repository, urls)
        if let done, build.state.isFinal {
            let names = [("component", artifact.component), ("tag", artifact.version), ("architecture", artifact.environment)]
            let query = names.map { "\($0)=\($1.percentEncoded)" }.joined(separator: "&")
            document.component = "\(urls.base)\(Self.path)?\(query)&form=archive"
            document.archiveDigest = try await archive(of: done, in: repository, building.service)?.digest
        }
        return try document.response
    }

    // MARK: Archives

    private func wantsArchive(_ request: Request, _ fields: ArtifactFields) -> Bool {
        if fields["form"] == "archive" { return true }
        let types = ["application/gzip", "application/x-gzip", "application/x-tar", "application/octet-stream"]
        return request.headers[.accept].map { accept in types.contains { accept.lowercased().contains($0) } } ?? false
    }

    /// Returns the one layer of a component's image, or `nil` if the registry does not have it any more.
    private func archive(of build: Build, in repository: ImageRepository, _ service: ImageService) async throws -> Descriptor? {
        guard let digest = build.steps.first(where: { $0.platform != nil })?.digest else { return nil }
        do throws(RegistryFailure) {
            let document = try await service.registry.manifest(ImageReference(repository, digest: digest))
            guard case .manifest(let manifest) = document.content else { return nil }
            return manifest.layers.first
        } catch {
            if error.code == .notFound { return nil }
            throw RequestRejection(error)
        }
    }

    private func response(_ archive: Descriptor, _ repository: ImageRepository, _ service: ImageService) -> Response {
        var headers: HTTPFields = [.contentType: "application/gzip", .eTag: "\"\(archive.digest)\""]
        headers[.xContentTypeOptions] = "nosniff"
        return Response(
            status: .ok, headers: headers,
            body: ResponseBody(contentLength: archive.size) { writer in
                // The client of the registry computes the digest. If other bytes arrive, the connection ends before
                // their end.
                try await service.registry.blob(archive, of: repository) { try await writer.write($0) }
                try await writer.finish(nil)
            })
    }
}
