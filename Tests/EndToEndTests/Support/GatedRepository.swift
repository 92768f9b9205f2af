import ComposeTestKit
import Foundation
import Hummingbird
import NIOCore
import Synchronization
import SystemPackage

/// An HTTP server for a directory that holds back its answer for one path until it is told to go on: a source that is slow exactly where a test
/// wants it to be.
struct GatedRepository: Sendable {
    let url: String
    /// Sent when the held path was asked for the first time.
    let wasAsked: Signal<Void>
    /// Send it to let the answer go.
    let gate: Signal<Void>

    /// Serves `directory` while `body` runs; answers for paths that contain `held` wait for the gate.
    static func with<R: Sendable>(
        _ directory: FilePath, holding held: String, _ body: @escaping @Sendable (GatedRepository) async throws -> R
    ) async throws -> R {
        let wasAsked = Signal<Void>()
        let gate = Signal<Void>()
        let router = Router()
        router.get("**") { request, _ -> Response in
            let path = request.uri.path.removingPercentEncoding ?? ""
            if path.contains(held) {
                await wasAsked.send(())
                _ = await gate.value
            }
            guard let bytes = FileManager.default.contents(atPath: directory.string + path) else { return Response(status: .notFound) }
            return Response(status: .ok, body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
        }
        let (ports, port) = AsyncStream.makeStream(of: Int.self)
        let application = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { channel in port.yield(channel.localAddress?.port ?? 0) }, logger: .silent)
        return try await withThrowingTaskGroup(of: R?.self) { group in
            group.addTask {
                try await application.run()
                return nil
            }
            group.addTask {
                for await port in ports {
                    let repository = GatedRepository(url: "http://127.0.0.1:\(port)", wasAsked: wasAsked, gate: gate)
                    let result: Result<R, any Error>
                    do { result = .success(try await body(repository)) } catch { result = .failure(error) }
                    await gate.send(())
                    return try result.get()
                }
                return nil
            }
            defer { group.cancelAll() }
            while let result = try await group.next() {
                if let result { return result }
            }
            throw CancellationError()
        }
    }
}
