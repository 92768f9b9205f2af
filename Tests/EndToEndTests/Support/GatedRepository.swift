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
        return try await withLocalServer(router) { url in
            let result: Result<R, any Error>
            do { result = .success(try await body(GatedRepository(url: url, wasAsked: wasAsked, gate: gate))) } catch {
                result = .failure(error)
            }
            await gate.send(())
            return try result.get()
        }
    }
}
