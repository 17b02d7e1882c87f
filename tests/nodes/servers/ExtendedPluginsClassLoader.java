package org.elasticsearch.plugins;

import java.security.AccessController;
import java.security.PrivilegedAction;
import java.util.List;

/** Asks the loaders of the extended plugins one after the other. */
public class ExtendedPluginsClassLoader extends ClassLoader {
    private final List<ClassLoader> loaders;

    private ExtendedPluginsClassLoader(ClassLoader parent, List<ClassLoader> loaders) {
        super(parent);
        this.loaders = loaders;
    }

    public static ExtendedPluginsClassLoader create(ClassLoader parent, List<ClassLoader> loaders) {
        PrivilegedAction<ExtendedPluginsClassLoader> make = () -> new ExtendedPluginsClassLoader(parent, loaders);
        return AccessController.doPrivileged(make);
    }

    @Override
    protected Class<?> findClass(String name) throws ClassNotFoundException {
        for (ClassLoader loader : loaders) {
            try {
                return loader.loadClass(name);
            } catch (ClassNotFoundException notThere) {
                // the next one may have it
            }
        }
        throw new ClassNotFoundException(name);
    }
}
