package org.opensearch.javaagent.bootstrap;

import java.security.Permission;
import java.security.Policy;
import java.util.Collection;
import java.util.Set;
import java.util.function.BiFunction;

/** Takes the policy that the server sets, and enforces nothing. */
@SuppressWarnings("removal")
public class AgentPolicy {
    private static volatile Policy current;

    public static void setPolicy(Policy policy, Set<String> hosts, Set<String> fileSystems, BiFunction<Class<?>, Collection<Class<?>>, Boolean> mayExit) {
        current = policy;
    }

    public static Policy getPolicy() {
        return current;
    }

    public static void checkPermission(Permission permission) {
        throw new SecurityException("not granted: " + permission);
    }

    /** Any class may end the JVM. */
    public static class AnyCanExit implements BiFunction<Class<?>, Collection<Class<?>>, Boolean> {
        public AnyCanExit(String[] classes) {}

        @Override
        public Boolean apply(Class<?> caller, Collection<Class<?>> chain) {
            return true;
        }
    }
}
