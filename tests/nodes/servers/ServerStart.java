package org.elasticsearch.bootstrap;

import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.KeyStoreWrapper;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.node.Node;
import org.elasticsearch.node.NodeValidationException;
import org.elasticsearch.plugins.PluginsLoader;

/**
 * Starts the server as the archive's launcher process does, without native access and entitlements, whose
 * parts are not on Maven Central.
 */
public class ServerStart {
    public static void main(String[] ignored) throws Throwable {
        LogConfigurator.configureESLogging();
        Bootstrap bootstrap = arguments();
        try {
            prepare(bootstrap);
            ofServer("initPhase3", bootstrap);
        } catch (NodeValidationException e) {
            bootstrap.exitWithNodeValidationException(e);
        } catch (Throwable t) {
            bootstrap.exitWithUnknownException(t);
        }
    }

    /** What the launcher process sends through a pipe: settings and folders. */
    private static Bootstrap arguments() throws IOException, org.elasticsearch.cli.UserException {
        Path conf = Path.of(System.getProperty("es.path.conf"));
        Settings.Builder read = Settings.builder().loadFromPath(conf.resolve("elasticsearch.yml"));
        Settings settings = read.put("path.home", System.getProperty("es.path.home")).build();
        BootstrapInfo.init();
        System.setIn(new Open());
        LogConfigurator.setNodeName(Node.NODE_NAME_SETTING.get(settings));
        LogConfigurator.configure(new Environment(settings, conf), true);
        Path logs = Path.of(settings.get("path.logs"));
        ServerArgs args = new ServerArgs(false, false, null, KeyStoreWrapper.create(), settings, conf, logs);
        return new Bootstrap(System.out, System.err, args);
    }

    /** The server's second phase: environment, shutdown hook, modules. */
    private static void prepare(Bootstrap bootstrap) throws Throwable {
        ServerArgs args = bootstrap.args();
        bootstrap.setSecureSettings(args.secrets());
        Object environment = ofServer("createEnvironment", args.configDir(), args.nodeSettings(), args.secrets());
        bootstrap.setEnvironment((Environment) environment);
        Thread.setDefaultUncaughtExceptionHandler(new ElasticsearchUncaughtExceptionHandler());
        Elasticsearch.initializeProbes();
        Thread atEnd = new Thread(ServerStart::shutDown, "elasticsearch-shutdown");
        Runtime.getRuntime().addShutdownHook(atEnd);
        Path modules = Path.of(System.getProperty("es.path.home"), "modules");
        var bundles = PluginsLoader.loadModulesBundles(modules);
        bootstrap.setPluginsLoader(PluginsLoader.createPluginsLoader(bundles, Set.of(), Map.of()));
    }

    private static void shutDown() {
        try {
            ofServer("shutdown");
        } catch (Throwable t) {
            t.printStackTrace();
        }
    }

    /** Calls a method of the server's main class that only its package, or only itself, may call. */
    private static Object ofServer(String name, Object... args) throws Throwable {
        Method method = Arrays.stream(Elasticsearch.class.getDeclaredMethods())
            .filter(m -> m.getName().equals(name) && m.getParameterCount() == args.length)
            .findFirst()
            .orElseThrow(() -> new NoSuchMethodException(name));
        method.setAccessible(true);
        try {
            return method.invoke(null, args);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }

    /** The server ends when its standard input does; this one stays open. */
    private static class Open extends InputStream {
        @Override
        public int read() throws IOException {
            try {
                new CountDownLatch(1).await();
            } catch (InterruptedException e) {
                throw new IOException(e);
            }
            return -1;
        }
    }
}
