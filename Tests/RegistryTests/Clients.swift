import HTTPEnvironment
import ImageModel
import ImageTestKit
import Logging
import Registry
import Synchronization

/// Runs `body` with a client that speaks to loopback without TLS.
func withClient<Value>(
    _ configuration: RegistryConfiguration = RegistryConfiguration(), clock: ImpatientClock = ImpatientClock(),
    _ body: (RegistryClient) async throws -> Value
) async throws -> Value {
    var configuration = configuration
    configuration.isLoopbackInsecure = true
    // Tests run in parallel, on machines that do other work.
    configuration.limits.connectTime = .seconds(300)
    let client = RegistryClient(configuration, environment: HTTPEnvironment([:]), clock: clock, logger: Logger(label: "registry-tests"))
    do {
        let value = try await body(client)
        await client.shutdown()
        return value
    } catch {
        await client.shutdown()
        throw error
    }
}

/// A clock whose pauses take no time. It notes them.
final class ImpatientClock: Clock {
    let now = ContinuousClock.now
    let minimumResolution = Duration.zero
    private let noted = Mutex<[Duration]>([])

    /// The pauses so far, the oldest first.
    var pauses: [Duration] { noted.withLock { $0 } }

    func sleep(until deadline: ContinuousClock.Instant, tolerance: Duration?) async throws {
        try Task.checkCancellation()
        noted.withLock { $0.append(deadline - now) }
    }
}

/// Runs `body` and returns the failure that it throws.
func failure(_ body: () async throws -> Void) async -> RegistryFailure? {
    do {
        try await body()
        return nil
    } catch {
        return error as? RegistryFailure
    }
}

extension RegistryClient {
    /// Uploads the blobs of a small image and its manifest.
    func push(_ image: SmallImage, to repository: ImageRepository, tag: ImageTag?) async throws {
        for blob in image.blobs { try await upload(blob.descriptor, to: repository, BytesContent(blob.bytes)) }
        try await put(image.document, to: repository, tag: tag)
    }
}
