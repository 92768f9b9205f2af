public import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle

/// Runs the server that `application` makes, on a free port of this host, while `body` runs, which gets the port.
///
/// At the end the server stops listening first and takes what it has accepted: a task that is only canceled would leave accepted connections
/// to nobody, for which NIO ends the process. Answers that are still awaited then are canceled.
public func serving<Value: Sendable>(
    _ responder: some HTTPResponder<BasicRequestContext>, _ body: @escaping @Sendable (_ port: Int) async throws -> Value
) async throws -> Value {
    let logger = Logger(label: "scripted") { _ in SwiftLogNoOpLogHandler() }
    let (ports, port) = AsyncStream.makeStream(of: Int.self)
    let application = Application(
        responder: responder, configuration: .init(address: .hostname("127.0.0.1", port: 0)),
        onServerRunning: { channel in port.yield(channel.localAddress?.port ?? 0) }, logger: logger)
    var configuration = ServiceGroupConfiguration(services: [application], logger: logger)
    configuration.maximumGracefulShutdownDuration = .seconds(1)
    let services = ServiceGroup(configuration: configuration)
    return try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
            // Also when the server does not come up, so that nobody waits for its port.
            defer { port.finish() }
            try await services.run()
        }
        var result = Result<Value, any Error>.failure(CancellationError())
        for await port in ports {
            do { result = .success(try await body(port)) } catch { result = .failure(error) }
            break
        }
        await services.triggerGracefulShutdown()
        try await group.waitForAll()
        return try result.get()
    }
}
