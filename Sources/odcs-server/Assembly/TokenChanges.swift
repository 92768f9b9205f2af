import ComposeStore
import Postgres
import ServiceLifecycle

/// Reports the tokens that other processes revoke or rotate to the frontend of this process.
struct TokenChanges: Service {
    let store: ComposeStore
    let listener: PostgresListener
    let channel: String

    func run() async throws {
        await cancelWhenGracefulShutdown {
            for await _ in listener.notifications(on: channel) { store.noteTokenChange() }
        }
    }
}
