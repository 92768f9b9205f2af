/// The one thread of the process on which libpq is used, as a global actor.
///
/// Pools, connections and listeners share it, so that they call each other without hopping, and the compiler checks that no libpq handle is
/// used from two threads. It waits in epoll and never blocks on a socket; there is one, however many pools come and go.
@globalActor public actor PostgresThread {
    public static let shared = PostgresThread()

    /// The thread's loop: runs the actor's jobs, and ends the waits of ``Suspension``.
    static let loop = EventLoop()

    public nonisolated var unownedExecutor: UnownedSerialExecutor { Self.loop.asUnownedSerialExecutor() }
}
